document.title = 'Headwater';
